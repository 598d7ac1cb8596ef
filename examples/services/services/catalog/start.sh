#!/bin/sh
echo "catalog is ready"
