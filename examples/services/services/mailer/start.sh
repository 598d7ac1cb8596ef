#!/bin/sh
echo "mailer is ready"
