/* The lines that a fused convolution makes for the depthwise one. */
#ifndef CK_CONV_FEED_H
#define CK_CONV_FEED_H

#include "ck_conv_fused.h"
#include "conv_view.h"

/* The first convolution's task, for one line of its result and CONV_COLUMNS of its channels. */
typedef struct {
    const ck_conv_fused_params *whole;
    ck_conv_fused_params params; /* of a line */
    void *operands[4];
    const float *x;
    size_t result, units; /* the result among the operands */
} conv_feed;

/* How many operands the first convolution has. */
size_t conv_feed_operands(const ck_conv_fused_params *p);
/* The channels from c on. */
conv_feed conv_feed_of(const ck_conv_fused_params *p, void *const *operands, size_t c);
/* The line of an image, CONV_COLUMNS floats a pixel; of fewer channels the others are left as they are. */
void conv_feed_line(conv_feed *feed, size_t image, int32_t line, float *to);
#endif
