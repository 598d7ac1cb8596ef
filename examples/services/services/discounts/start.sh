#!/bin/sh
echo "discounts is ready"
