#!/bin/sh
echo "web is ready"
