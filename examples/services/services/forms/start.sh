#!/bin/sh
echo "forms is ready"
