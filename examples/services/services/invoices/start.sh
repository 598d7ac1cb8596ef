#!/bin/sh
echo "invoices is ready"
