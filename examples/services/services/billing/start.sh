#!/bin/sh
echo "billing is ready"
