/* PNG and JPEG to pixels, pixels to PNG, through libpng and libjpeg; zlib comes along with zlib.h.
 * Every function returns a cimage_status, writes one line into `message` on failure, prints nothing, and frees what
 * it took. `pixels` and `*encoded` belong to the caller, who calls free. */
#ifndef CIMAGE_H
#define CIMAGE_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>
#include <zlib.h>

typedef enum { CIMAGE_OK, CIMAGE_BAD, CIMAGE_TOO_LARGE, CIMAGE_NO_MEMORY } cimage_status;

enum { CIMAGE_MESSAGE_SIZE = JMSG_LENGTH_MAX };

/* Rows from the top, channels last, one byte a channel. */
typedef struct {
    uint32_t width, height, channels;
    uint8_t *pixels;
    char message[CIMAGE_MESSAGE_SIZE];
} cimage;

static inline cimage_status cimage_fail(cimage *image, cimage_status status, const char *message) {
    free(image->pixels);
    image->pixels = NULL;
    snprintf(image->message, sizeof image->message, "%s", message);
    return status;
}

/* Takes memory for width · height · channels bytes, or fails. */
static inline cimage_status cimage_reserve(cimage *image, uint64_t pixel_limit) {
    if (image->width == 0 || image->height == 0) return cimage_fail(image, CIMAGE_BAD, "the picture is empty");
    if ((uint64_t)image->width * image->height > pixel_limit) {
        char message[96];
        snprintf(message, sizeof message, "the picture has %u × %u pixels, wanted at most %llu in all", image->width,
                 image->height, (unsigned long long)pixel_limit);
        return cimage_fail(image, CIMAGE_TOO_LARGE, message);
    }
    image->pixels = malloc((size_t)image->width * image->height * image->channels);
    return image->pixels ? CIMAGE_OK : cimage_fail(image, CIMAGE_NO_MEMORY, "no memory for the picture");
}

/* The luma of ITU-R BT.601 in 16-bit fixed point, rounded. */
static inline uint8_t cimage_luma(const uint8_t *rgb) {
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

/* `channels` is 1 (luma) or 3 (RGB); an alpha channel is dropped. pixel_limit below 2^29. */
static inline cimage_status cimage_decode_png(const uint8_t *bytes, size_t length, uint32_t channels,
                                              uint64_t pixel_limit, cimage *image) {
    memset(image, 0, sizeof *image);
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&png, bytes, length)) return cimage_fail(image, CIMAGE_BAD, png.message);
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    png.format = PNG_FORMAT_RGBA;
    image->width = png.width;
    image->height = png.height;
    image->channels = 4;
    cimage_status status = cimage_reserve(image, pixel_limit);
    if (status != CIMAGE_OK) {
        png_image_free(&png);
        return status;
    }
    if (!png_image_finish_read(&png, NULL, image->pixels, 0, NULL)) return cimage_fail(image, CIMAGE_BAD, png.message);
    size_t count = (size_t)image->width * image->height;
    for (size_t i = 0; i < count; i++) {
        const uint8_t rgb[3] = {image->pixels[4 * i], image->pixels[4 * i + 1], image->pixels[4 * i + 2]};
        if (channels == 1) image->pixels[i] = cimage_luma(rgb);
        else memcpy(image->pixels + 3 * i, rgb, 3);
    }
    image->channels = channels;
    return CIMAGE_OK;
}

typedef struct {
    struct jpeg_error_mgr base; /* first, so that libjpeg's pointer to it is a pointer to this */
    jmp_buf jump;
    char *message;
} cimage_jpeg_error;

static inline void cimage_jpeg_exit(j_common_ptr info) {
    cimage_jpeg_error *error = (cimage_jpeg_error *)info->err;
    error->base.format_message(info, error->message);
    longjmp(error->jump, 1);
}

/* libjpeg only warns of a file that ends early and paints the rest gray; here that is an error. */
static inline void cimage_jpeg_emit(j_common_ptr info, int level) {
    if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) cimage_jpeg_exit(info);
}

static inline void cimage_jpeg_output(j_common_ptr info) { (void)info; }

/* `channels` is 1 (luma) or 3 (RGB). */
static inline cimage_status cimage_decode_jpeg(const uint8_t *bytes, size_t length, uint32_t channels,
                                               uint64_t pixel_limit, cimage *image) {
    memset(image, 0, sizeof *image);
    struct jpeg_decompress_struct info;
    memset(&info, 0, sizeof info);
    cimage_jpeg_error error;
    info.err = jpeg_std_error(&error.base);
    error.base.error_exit = cimage_jpeg_exit;
    error.base.emit_message = cimage_jpeg_emit;
    error.base.output_message = cimage_jpeg_output;
    error.message = image->message;
    if (setjmp(error.jump)) {
        jpeg_destroy_decompress(&info);
        free(image->pixels);
        image->pixels = NULL;
        return CIMAGE_BAD;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, (unsigned long)length);
    jpeg_read_header(&info, TRUE);
    info.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    image->width = info.image_width;
    image->height = info.image_height;
    image->channels = channels;
    cimage_status status = cimage_reserve(image, pixel_limit);
    if (status != CIMAGE_OK) {
        jpeg_destroy_decompress(&info);
        return status;
    }
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
        JSAMPROW row = image->pixels + (size_t)info.output_scanline * image->width * channels;
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    return CIMAGE_OK;
}

/* `image` has 1 (gray), 3 (RGB) or 4 (RGBA) channels; its pixels are only read. */
static inline cimage_status cimage_encode_png(cimage *image, uint8_t **encoded, size_t *length) {
    png_image png;
    memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.width = image->width;
    png.height = image->height;
    png.format = image->channels == 1 ? PNG_FORMAT_GRAY : image->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
    *encoded = malloc(size);
    if (!*encoded) return CIMAGE_NO_MEMORY;
    if (!png_image_write_to_memory(&png, *encoded, &size, 0, image->pixels, 0, NULL)) {
        snprintf(image->message, sizeof image->message, "%s", png.message);
        free(*encoded);
        *encoded = NULL;
        return CIMAGE_BAD;
    }
    *length = size;
    return CIMAGE_OK;
}

#endif
