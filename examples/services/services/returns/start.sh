#!/bin/sh
echo "returns is ready"
