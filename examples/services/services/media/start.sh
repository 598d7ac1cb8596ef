#!/bin/sh
echo "media is ready"
