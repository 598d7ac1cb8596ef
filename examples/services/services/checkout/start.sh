#!/bin/sh
echo "checkout is ready"
