#!/bin/sh
echo "orders is ready"
