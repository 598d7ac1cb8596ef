#!/bin/sh
echo "feedback is ready"
