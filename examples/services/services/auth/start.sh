#!/bin/sh
echo "auth is ready"
