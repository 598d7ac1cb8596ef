#!/bin/sh
echo "prices is ready"
