#!/bin/sh
printf 'report as %s, logs in %s' "$(id -un)" "$LOG_DIR"
