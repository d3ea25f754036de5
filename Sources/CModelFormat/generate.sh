#!/bin/sh
# Regenerates the schema code from Include/apus.proto; needs Debian's protobuf-c-compiler.
cd "$(dirname "$0")" && protoc-c --proto_path=../../Include --c_out=. ../../Include/apus.proto && mv apus.pb-c.h include/
