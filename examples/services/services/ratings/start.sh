#!/bin/sh
echo "ratings is ready"
