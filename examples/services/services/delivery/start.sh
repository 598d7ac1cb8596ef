#!/bin/sh
echo "delivery is ready"
