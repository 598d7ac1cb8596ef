#!/bin/sh
echo "ledger is ready"
