#include "movement_variants.h"

#define E uint8_t
#define SIZE 1
#define NAME(base) base##_1
#include "movement_template.inc"

#define E uint16_t
#define SIZE 2
#define NAME(base) base##_2
#include "movement_template.inc"

#define E uint32_t
#define SIZE 4
#define NAME(base) base##_4
#include "movement_template.inc"

#define E uint64_t
#define SIZE 8
#define NAME(base) base##_8
#include "movement_template.inc"
