#!/bin/sh
echo "currency is ready"
