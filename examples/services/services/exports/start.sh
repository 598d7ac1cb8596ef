#!/bin/sh
echo "exports is ready"
