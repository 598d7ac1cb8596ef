#!/bin/sh
echo "payments is ready"
