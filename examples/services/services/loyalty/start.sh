#!/bin/sh
echo "loyalty is ready"
