#!/bin/sh
echo "stock is ready"
