#!/bin/sh
echo "accounts is ready"
