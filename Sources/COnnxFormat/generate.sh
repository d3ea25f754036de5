#!/bin/sh
# Regenerates the schema code from onnx.proto; needs Debian's protobuf-c-compiler.
cd "$(dirname "$0")" && protoc-c --c_out=. onnx.proto && mv onnx.pb-c.h include/
