#!/bin/sh
echo "audit is ready"
