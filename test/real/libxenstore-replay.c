/*
 * Sends xenstore requests through the real libxenstore, one after another, and says how long it took.
 *
 * Commands on standard input, an answer in nanoseconds on standard output for each:
 *   read PATH TIMES      reads a node again and again
 *   replay FILE          sends the requests of a file: a request a line, its words between tabs
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xenstore.h>

struct request {
    char *word[6];
    int words;
};

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static struct request *load(const char *file, size_t *count)
{
    FILE *in = fopen(file, "r");
    struct request *requests = NULL;
    size_t room = 0, size = 0;
    char *line = NULL;
    ssize_t length;

    if (!in) err(1, "%s", file);
    *count = 0;
    while ((length = getline(&line, &size, in)) > 0) {
        line[length - 1] = '\0';
        if (*count == room) {
            room = room ? room * 2 : 1024;
            requests = realloc(requests, room * sizeof(*requests));
            if (!requests) err(1, NULL);
        }
        struct request *request = &requests[(*count)++];
        char *rest = strdup(line);
        request->words = 0;
        while (rest && request->words < 6) request->word[request->words++] = strsep(&rest, "\t");
    }
    free(line);
    fclose(in);
    return requests;
}

static bool set_permissions(struct xs_handle *store, xs_transaction_t transaction, const struct request *request)
{
    struct xs_permissions permissions[4];
    unsigned int count = 0;

    for (int i = 2; i < request->words; i++, count++) {
        permissions[count].perms = request->word[i][0] == 'r' ? XS_PERM_READ : XS_PERM_NONE;
        permissions[count].id = atoi(request->word[i] + 1);
    }
    return xs_set_permissions(store, transaction, request->word[1], permissions, count);
}

static xs_transaction_t send(struct xs_handle *store, xs_transaction_t transaction, const struct request *request)
{
    const char *name = request->word[0], *path = request->word[1];
    bool good = true;
    unsigned int length;

    if (!strcmp(name, "TRANSACTION_START")) return xs_transaction_start(store);
    if (!strcmp(name, "TRANSACTION_END")) {
        if (!xs_transaction_end(store, transaction, false)) err(1, "commit");
        return XBT_NULL;
    }
    /* These two may find nothing, as they do for libxl. */
    if (!strcmp(name, "READ")) free(xs_read(store, transaction, path, &length));
    else if (!strcmp(name, "RM")) xs_rm(store, transaction, path);
    else if (!strcmp(name, "GET_DOMAIN_PATH")) free(xs_get_domain_path(store, atoi(path)));
    else if (!strcmp(name, "MKDIR")) good = xs_mkdir(store, transaction, path);
    else if (!strcmp(name, "WRITE"))
        good = xs_write(store, transaction, path, request->word[2], strlen(request->word[2]));
    else if (!strcmp(name, "SET_PERMS")) good = set_permissions(store, transaction, request);
    else errx(1, "no such request: %s", name);
    if (!good) err(1, "%s %s", name, path);
    return transaction;
}

static long long replay(struct xs_handle *store, const char *file)
{
    size_t count;
    struct request *requests = load(file, &count);
    xs_transaction_t transaction = XBT_NULL;
    long long start = now();

    for (size_t i = 0; i < count; i++) transaction = send(store, transaction, &requests[i]);

    long long taken = now() - start;
    for (size_t i = 0; i < count; i++) free(requests[i].word[0]);
    free(requests);
    return taken;
}

static long long read_often(struct xs_handle *store, const char *path, long times)
{
    unsigned int length;
    long long start = now();

    for (long i = 0; i < times; i++) {
        void *value = xs_read(store, XBT_NULL, path, &length);
        if (!value) err(1, "%s", path);
        free(value);
    }
    return now() - start;
}

int main(void)
{
    struct xs_handle *store = xs_open(0);
    char name[16], text[4096];
    long times;

    if (!store) err(1, "xs_open");
    while (scanf("%15s %4095s", name, text) == 2) {
        long long taken;
        if (!strcmp(name, "read") && scanf("%ld", &times) == 1) taken = read_often(store, text, times);
        else if (!strcmp(name, "replay")) taken = replay(store, text);
        else errx(1, "no such command: %s", name);
        printf("%lld\n", taken);
        fflush(stdout);
    }
    xs_close(store);
    return 0;
}
