/* Asks the real libxl: reads texts that each end in NUL, writes one answer to each, ended by NUL, too. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl.h>

/* declared by libxl_json.h, which needs libxl's own configuration, and by no public header */
char *libxl_device_disk_to_json(libxl_ctx *ctx, libxl_device_disk *disk);
int libxl_device_disk_from_json(libxl_ctx *ctx, libxl_device_disk *disk, const char *text);
int libxl__device_disk_dev_number(const char *vdev, int *disk, int *partition);

/* A context opens the hypervisor and xenstore, but neither question needs them. */
void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags);
int xc_interface_close(void *xch);
struct xs_handle *xs_open(unsigned long flags);
void xs_close(struct xs_handle *xsh);

static int handle;

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags) {
    (void)logger, (void)dombuild_logger, (void)flags;
    return &handle;
}

int xc_interface_close(void *xch) {
    (void)xch;
    return 0;
}

struct xs_handle *xs_open(unsigned long flags) {
    (void)flags;
    return (struct xs_handle *)&handle;
}

void xs_close(struct xs_handle *xsh) { (void)xsh; }

static void answer_json(libxl_ctx *ctx, const char *text) {
    libxl_device_disk disk;
    int rc = libxl_device_disk_from_json(ctx, &disk, text);
    char *json = rc ? NULL : libxl_device_disk_to_json(ctx, &disk);
    if (json) fputs(json, stdout);
    else printf("%d", rc);
    free(json);
    libxl_device_disk_dispose(&disk);
}

static void answer_vdev(const char *vdev) {
    int disk = 0, partition = 0;
    int devid = libxl__device_disk_dev_number(vdev, NULL, NULL);
    libxl__device_disk_dev_number(vdev, &disk, &partition);
    printf("%d %d %d", devid, disk, partition);
}

int main(int argc, char **argv) {
    libxl_ctx *ctx;
    char *text = NULL;
    size_t room = 0;
    xentoollog_logger *logger = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);

    if (argc != 2 || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, logger)) return 70;
    while (getdelim(&text, &room, 0, stdin) > 0) {
        if (strcmp(argv[1], "json") == 0) answer_json(ctx, text);
        else answer_vdev(text);
        putchar(0);
    }
    return 0;
}
