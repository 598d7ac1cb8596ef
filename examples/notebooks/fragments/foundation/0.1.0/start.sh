#!/bin/sh
# Says what is in this image: what its parents added, and what it added itself.
cat /opt/stack/packages
