#ifndef CKERNELS_H
#define CKERNELS_H
#include "ck.h"
#include "ck_cast.h"
#include "ck_conv.h"
#include "ck_conv_pool.h"
#include "ck_elementwise.h"
#include "ck_gemm.h"
#include "ck_movement.h"
#include "ck_normalize.h"
#include "ck_optimizer.h"
#include "ck_pool.h"
#include "ck_random.h"
#include "ck_recurrent.h"
#include "ck_reduce.h"
#include "ck_selection.h"
#include "ck_softmax.h"
#endif
