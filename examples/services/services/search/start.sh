#!/bin/sh
echo "search is ready"
