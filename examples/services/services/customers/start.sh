#!/bin/sh
echo "customers is ready"
