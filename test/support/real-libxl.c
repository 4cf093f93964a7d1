/* The real libxl behind a pipe: reads texts that end in NUL, writes its answers. Needs no hypervisor: see the four stubs. */
#define _GNU_SOURCE
#include <libxl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *libxl_device_disk_to_json(libxl_ctx *ctx, libxl_device_disk *disk);
int libxl_device_disk_from_json(libxl_ctx *ctx, libxl_device_disk *disk, const char *text);
int libxl__device_disk_dev_number(const char *vdev, int *disk, int *partition);

static int handle;
void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags) { return &handle; }
int xc_interface_close(void *xch) { return 0; }
void *xs_open(unsigned long flags) { return &handle; }
void xs_close(void *xsh) {}

static void answer_json(libxl_ctx *ctx, const char *text)
{
    libxl_device_disk disk;
    int rc = libxl_device_disk_from_json(ctx, &disk, text);
    char *json = rc ? NULL : libxl_device_disk_to_json(ctx, &disk);
    if (json) fputs(json, stdout);
    else printf("%d", rc);
    free(json);
    libxl_device_disk_dispose(&disk);
}

static void answer_vdev(const char *vdev)
{
    int disk = 0, partition = 0;
    int devid = libxl__device_disk_dev_number(vdev, NULL, NULL);
    libxl__device_disk_dev_number(vdev, &disk, &partition);
    printf("%d %d %d", devid, disk, partition);
}

int main(int argc, char **argv)
{
    libxl_ctx *ctx;
    char *text = NULL;
    size_t size = 0;
    xentoollog_logger *logger = (xentoollog_logger *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);

    if (argc != 2 || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, logger)) return 2;
    while (getdelim(&text, &size, 0, stdin) > 0) {
        if (!strcmp(argv[1], "json")) answer_json(ctx, text);
        else answer_vdev(text);
        putchar(0);
    }
    return 0;
}
