#!/bin/sh
echo "events is ready"
