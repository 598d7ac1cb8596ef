#!/bin/sh
echo "consents is ready"
