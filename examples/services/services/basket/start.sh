#!/bin/sh
echo "basket is ready"
