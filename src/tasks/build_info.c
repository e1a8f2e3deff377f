/* SPDX-License-Identifier: MIT */
/* What this library is made of: version, kernel level, features and linked libraries. */
#include "compute/kernels/kernels.h"

#include <clipc.h>

#include <cjson/cJSON.h>
#include <openssl/opensslv.h>
#include <png.h>
#include <stdio.h>
#include <zlib.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
/* jpeglib.h wants stdio.h before it */
#include <jpeglib.h>
#ifdef CLIPC_HAVE_GIF
#include <gif_lib.h>
#endif
#ifdef CLIPC_HAVE_TIFF
#include <tiffio.h>
#endif
#ifdef CLIPC_HAVE_CURL
#include <curl/curlver.h>
#endif

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#ifdef CLIPC_HAVE_WEBP
#define FEATURE_WEBP " webp"
#else
#define FEATURE_WEBP ""
#endif
#ifdef CLIPC_HAVE_GIF
#define FEATURE_GIF " gif"
#define LIBRARY_GIF "; giflib " TEXT(GIFLIB_MAJOR) "." TEXT(GIFLIB_MINOR) "." TEXT(GIFLIB_RELEASE)
#else
#define FEATURE_GIF ""
#define LIBRARY_GIF ""
#endif
#ifdef CLIPC_HAVE_TIFF
#define FEATURE_TIFF " tiff"
#define LIBRARY_TIFF "; libtiff " TEXT(TIFFLIB_VERSION)
#else
#define FEATURE_TIFF ""
#define LIBRARY_TIFF ""
#endif
#ifdef CLIPC_HAVE_CURL
#define FEATURE_CURL " http"
#define LIBRARY_CURL "; libcurl " LIBCURL_VERSION
#else
#define FEATURE_CURL ""
#define LIBRARY_CURL ""
#endif

static const char features[] = "jpeg png bmp" FEATURE_WEBP FEATURE_GIF FEATURE_TIFF FEATURE_CURL;

#define LIBRARY_JPEG "libjpeg-turbo " TEXT(LIBJPEG_TURBO_VERSION)
#define LIBRARY_PCRE2 "; PCRE2 " TEXT(PCRE2_MAJOR) "." TEXT(PCRE2_MINOR)
#define LIBRARY_CJSON                                                                              \
    "; cJSON " TEXT(CJSON_VERSION_MAJOR) "." TEXT(CJSON_VERSION_MINOR) "." TEXT(CJSON_VERSION_PATCH)

/* As compiled against; their shared libraries may be newer. */
static const char libraries[] = LIBRARY_JPEG
    "; libpng " PNG_LIBPNG_VER_STRING "; zlib " ZLIB_VERSION LIBRARY_PCRE2 LIBRARY_CJSON
    "; OpenSSL " OPENSSL_VERSION_STR LIBRARY_GIF LIBRARY_TIFF LIBRARY_CURL;

void clipc_get_build_info(clipc_build_info *out)
{
    const clipc_kernels *kernels = clipc_kernels_choose();

    *out = (clipc_build_info){
        .version = CLIPC_VERSION_STRING,
        .cpu = kernels ? kernels->level : "none: CLIPC_CPU names no level",
        .compiler = COMPILER,
        .features = features,
        .libraries = libraries,
    };
}
