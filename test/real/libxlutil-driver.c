/*
 * Asks the real libxlutil. Length-prefixed requests on stdin, one length-prefixed answer each on stdout, in order.
 * Numbers are little-endian, a string is its u32 length and its bytes, an absent string has length 0xffffffff.
 *
 *   'd' u32 count, strings                    one disk         -> i32 rc, string report, string json (absent unless rc 0)
 *   'c' string name, string text,             a configuration  -> i32 rc, string report, then for each get, if rc 0:
 *       u32 count, strings: kind and key                          i32 rc, string report, the value if that rc is 0:
 *                                                                 's' string, 'l' i64, 'L' u32 count and strings
 *   'b' u32 rounds, u32 count, strings        time             -> u64 nanoseconds of rounds x count parses
 *
 * libxlutil may end the process. All answers before that request have been written then, so the asker knows which it was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxlutil.h>

#define ABSENT 0xffffffffu

static char *out;
static size_t out_length, out_room, answer_start;

static FILE *report;
static char *report_text;
static size_t report_length;

static void fail(const char *what) {
    fprintf(stderr, "libxlutil-driver: %s\n", what);
    _exit(70);
}

/* Writes the complete answers; also on the way out of a dying process, so only with write(2). */
static void flush_answers(void) {
    size_t at = 0;
    while (at < answer_start) {
        ssize_t n = write(1, out + at, answer_start - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) _exit(71);
        at += n;
    }
    memmove(out, out + answer_start, out_length - answer_start);
    out_length -= answer_start;
    answer_start = 0;
}

static void die_of(int signal_number) {
    flush_answers();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void put(const void *bytes, size_t length) {
    if (out_room - out_length < length) {
        out_room = (out_length + length) * 2;
        out = realloc(out, out_room);
        if (!out) fail("out of memory");
    }
    memcpy(out + out_length, bytes, length);
    out_length += length;
}

static void put_u32(uint32_t value) { put(&value, sizeof value); }

static void put_string(const char *text, size_t length) {
    put_u32(text ? length : ABSENT);
    if (text) put(text, length);
}

static void put_text(const char *text) { put_string(text, text ? strlen(text) : 0); }

static void begin_answer(void) { put_u32(0); }

static void end_answer(void) {
    uint32_t length = out_length - answer_start - sizeof length;
    memcpy(out + answer_start, &length, sizeof length);
    answer_start = out_length;
}

/* The text that was reported since the last call. */
static void put_report(void) {
    fflush(report);
    put_string(report_text, report_length);
    if (report_length) rewind(report);
    fflush(report);
}

typedef struct { char *at, *end; } Request;

static uint32_t get_u32(Request *request) {
    uint32_t value;
    if ((size_t)(request->end - request->at) < sizeof value) fail("short request");
    memcpy(&value, request->at, sizeof value);
    request->at += sizeof value;
    return value;
}

static char *get_bytes(Request *request, uint32_t length) {
    char *bytes = request->at;
    if ((size_t)(request->end - request->at) < length) fail("short request");
    request->at += length;
    return bytes;
}

/* A string with a NUL of its own: the request's bytes are followed by the next length. */
static char *get_string(Request *request) {
    uint32_t length = get_u32(request);
    char *text = strndup(get_bytes(request, length), length);
    if (!text) fail("out of memory");
    return text;
}

static char **get_strings(Request *request, uint32_t count) {
    char **strings = calloc(count + 1, sizeof *strings);
    if (!strings) fail("out of memory");
    for (uint32_t i = 0; i < count; i++) strings[i] = get_string(request);
    return strings;
}

static void free_strings(char **strings) {
    for (char **each = strings; *each; each++) free(*each);
    free(strings);
}

static void answer_disk(Request *request, XLU_Config *cfg) {
    uint32_t count = get_u32(request);
    char **specs = get_strings(request, count);
    libxl_device_disk disk;

    libxl_device_disk_init(&disk);
    int32_t rc = xlu_disk_parse(cfg, count, (const char *const *)specs, &disk);
    put(&rc, sizeof rc);
    put_report();
    /* The context is for log messages only, and there is none to be had without Xen. */
    char *json = rc ? NULL : libxl_device_disk_to_json(NULL, &disk);
    put_text(json);
    free(json);
    libxl_device_disk_dispose(&disk);
    free_strings(specs);
}

static void answer_get(XLU_Config *cfg, char kind, const char *key) {
    const char *text = NULL;
    long number = 0;
    XLU_ConfigList *list = NULL;
    int entries = 0;
    int32_t rc = kind == 's'   ? xlu_cfg_get_string(cfg, key, &text, 0)
                 : kind == 'l' ? xlu_cfg_get_long(cfg, key, &number, 0)
                               : xlu_cfg_get_list(cfg, key, &list, &entries, 0);
    put(&rc, sizeof rc);
    put_report();
    if (rc) return;
    if (kind == 's') {
        put_text(text);
    } else if (kind == 'l') {
        int64_t value = number;
        put(&value, sizeof value);
    } else {
        put_u32(entries);
        for (int i = 0; i < entries; i++) put_text(xlu_cfg_get_listitem(list, i));
    }
}

static void answer_config(Request *request) {
    char *name = get_string(request);
    uint32_t length = get_u32(request);
    char *text = get_bytes(request, length);
    char **gets = get_strings(request, get_u32(request));

    XLU_Config *cfg = xlu_cfg_init(report, name);
    if (!cfg) fail("out of memory");
    int32_t rc = xlu_cfg_readdata(cfg, text, length);
    put(&rc, sizeof rc);
    put_report();
    for (char **get = gets; !rc && *get; get++) answer_get(cfg, **get, *get + 1);
    xlu_cfg_destroy(cfg);
    free_strings(gets);
    free(name);
}

static void answer_bench(Request *request, XLU_Config *cfg) {
    uint32_t rounds = get_u32(request);
    uint32_t count = get_u32(request);
    char **specs = get_strings(request, count);
    struct timespec start, end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < count; i++) {
            const char *spec = specs[i];
            libxl_device_disk disk;
            libxl_device_disk_init(&disk);
            if (xlu_disk_parse(cfg, 1, &spec, &disk)) fail("a spec to time was refused");
            libxl_device_disk_dispose(&disk);
        }
    clock_gettime(CLOCK_MONOTONIC, &end);
    uint64_t nanoseconds = (end.tv_sec - start.tv_sec) * 1000000000ll + (end.tv_nsec - start.tv_nsec);
    put(&nanoseconds, sizeof nanoseconds);
    free_strings(specs);
}

static void answer(Request request, XLU_Config *cfg) {
    begin_answer();
    switch (*get_bytes(&request, 1)) {
    case 'd': answer_disk(&request, cfg); break;
    case 'c': answer_config(&request); break;
    case 'b': answer_bench(&request, cfg); break;
    default: fail("unknown kind of request");
    }
    end_answer();
}

int main(void) {
    char *in = NULL;
    size_t in_length = 0, in_room = 0;

    report = open_memstream(&report_text, &report_length);
    if (!report) fail("no memory stream");
    XLU_Config *cfg = xlu_cfg_init(report, "command line");
    if (!cfg) fail("out of memory");
    atexit(flush_answers);
    signal(SIGSEGV, die_of);
    signal(SIGABRT, die_of);

    for (;;) {
        size_t at = 0;
        uint32_t length;
        while (in_length - at >= sizeof length) {
            memcpy(&length, in + at, sizeof length);
            if (in_length - at - sizeof length < length) break;
            char *start = in + at + sizeof length;
            answer((Request){ start, start + length }, cfg);
            at += sizeof length + length;
        }
        flush_answers();
        memmove(in, in + at, in_length - at);
        in_length -= at;
        if (in_room - in_length < 65536) {
            in_room = in_room * 2 + 131072;
            in = realloc(in, in_room);
            if (!in) fail("out of memory");
        }
        ssize_t n = read(0, in + in_length, in_room - in_length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n ? 72 : 0;
        in_length += n;
    }
}
