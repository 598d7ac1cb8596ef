#!/bin/sh
echo "refunds is ready"
