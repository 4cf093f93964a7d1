/* Preloaded into a program whose ioctls 20 and 30 stand for those of DRBD's protocol D: the first is answered with 0 (a checkpoint is
 * sent), the second after XENLIGHT_IOCTL_SECONDS, with 0 (it is acknowledged). All others are the system's.
 * XENLIGHT_IOCTL_LOG is a file that gets a line for each of the two. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(const char *line) {
    const char *path = getenv("XENLIGHT_IOCTL_LOG");
    int file = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND);
    if (file < 0) return;
    if (write(file, line, strlen(line)) < 0) abort();
    close(file);
}

int ioctl(int file, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request == 20) {
        note("SEND\n");
        return 0;
    }
    if (request == 30) {
        note("WAIT\n");
        unsigned left = (unsigned)atoi(getenv("XENLIGHT_IOCTL_SECONDS"));
        while (left > 0) left = sleep(left);
        return 0;
    }
    int (*real)(int, unsigned long, void *) = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
    return real(file, request, argument);
}
