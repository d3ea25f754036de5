/* Copies bytes. Operands: source, destination. Unit: 64 KiB. */
#ifndef CK_COPY_H
#define CK_COPY_H

#include "ck.h"

typedef struct {
    int64_t size;
} ck_copy_params;

ck_task ck_copy(void);
size_t ck_copy_units(int64_t size);

#endif
