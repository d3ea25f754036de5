#!/bin/sh
# Regenerates the schema code from Include/apus.proto; needs Debian's protobuf-c-compiler. Descriptors name no function that
# begins a message: protobuf-c then goes by the fields' defaults, and a library that reads alone keeps none of them.
cd "$(dirname "$0")" && protoc-c --proto_path=../../Include --c_out=. ../../Include/apus.proto &&
    sed -i 's/(ProtobufCMessageInit) apus__.*__init,/NULL,/' apus.pb-c.c && mv apus.pb-c.h include/
