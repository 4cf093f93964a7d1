/* Preloaded into Debian's xenstored and oxenstored, so that they run where there is no Xen: answers for the hypervisor,
 * and plays the guests' end of their rings.
 *
 * XENLIGHT_RUNDIR   where everything is that the daemon would put below /var/run and /var/log
 * XENLIGHT_PARENT   the process with which the daemon ends
 *
 * RUNDIR/domains    the domains besides 0 that exist, a range such as 1-1000 a line; read anew at each question
 * RUNDIR/domain-N   a socket, once the daemon has mapped the ring of domain N: a client of it talks through that ring
 * RUNDIR/virq       a socket: a connection to it tells the daemon that a domain has died (VIRQ_DOM_EXC) and is closed */
#define _GNU_SOURCE
#define __XEN_TOOLS__ 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xen/io/xs_wire.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define PAGE 4096
#define PORTS 4096
#define PATH_LENGTH 512

static const char *run_dir;

static void fail(const char *what)
{
    fprintf(stderr, "xenstored-preload: %s: %s\n", what, strerror(errno));
    _exit(70);
}

/* --- event channels: one handle, whose descriptor is a semaphore with as much in it as there are pending ports --- */

static struct {
    int fd;
    pthread_mutex_t lock;
    int next;
    bool pending[PORTS];
    /* The domain at the other end, -1 for none. */
    int domid[PORTS];
} ports = { .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .next = 1 };

static void signal_fd(int fd)
{
    uint64_t one = 1;
    if (write(fd, &one, sizeof(one)) < 0) fail("eventfd");
}

static void raise_port(int port)
{
    pthread_mutex_lock(&ports.lock);
    if (port > 0 && !ports.pending[port]) {
        ports.pending[port] = true;
        signal_fd(ports.fd);
    }
    pthread_mutex_unlock(&ports.lock);
}

static int bind_port(int domid)
{
    pthread_mutex_lock(&ports.lock);
    int port = ports.next < PORTS ? ports.next++ : -1;
    if (port < 0) errno = ENOSPC;
    else ports.domid[port] = domid;
    pthread_mutex_unlock(&ports.lock);
    return port;
}

static int port_of(int domid)
{
    int found = -1;
    pthread_mutex_lock(&ports.lock);
    for (int port = ports.next - 1; port > 0 && found < 0; port--)
        if (ports.domid[port] == domid) found = port;
    pthread_mutex_unlock(&ports.lock);
    return found;
}

/* --- guests: a thread for each mapped ring, which is the guest's kernel --- */

struct guest {
    struct guest *next;
    int domid;
    struct xenstore_domain_interface *ring;
    int listener;
    /* An eventfd: the daemon has touched the ring, or the guest is to end. */
    int wake;
    bool ended;
    pthread_t thread;
    char path[PATH_LENGTH];
};

static struct guest *guests;
static pthread_mutex_t guests_lock = PTHREAD_MUTEX_INITIALIZER;

/* Copies between a ring and a buffer; returns how much of it went. */
static size_t put(struct xenstore_domain_interface *ring, const char *bytes, size_t length)
{
    uint32_t produced = ring->req_prod, room = XENSTORE_RING_SIZE - (produced - __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE));
    if (length > room) length = room;
    for (size_t i = 0; i < length; i++) ring->req[MASK_XENSTORE_IDX(produced + i)] = bytes[i];
    __atomic_store_n(&ring->req_prod, produced + length, __ATOMIC_SEQ_CST);
    return length;
}

static size_t take(struct xenstore_domain_interface *ring, char *bytes, size_t length)
{
    uint32_t consumed = ring->rsp_cons, there = __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) - consumed;
    if (length > there) length = there;
    for (size_t i = 0; i < length; i++) bytes[i] = ring->rsp[MASK_XENSTORE_IDX(consumed + i)];
    __atomic_store_n(&ring->rsp_cons, consumed + length, __ATOMIC_SEQ_CST);
    return length;
}

struct buffer {
    char bytes[PAGE];
    size_t at, end;
};

/* Moves bytes between one client and the ring until the client goes or the guest ends. */
static void serve(struct guest *guest, int client)
{
    struct buffer in = { .end = 0 }, out = { .end = 0 };
    while (!__atomic_load_n(&guest->ended, __ATOMIC_ACQUIRE)) {
        bool moved = false;
        if (in.at < in.end) {
            size_t count = put(guest->ring, in.bytes + in.at, in.end - in.at);
            in.at += count;
            moved |= count > 0;
        }
        if (out.at == out.end) {
            out.at = 0;
            out.end = take(guest->ring, out.bytes, sizeof(out.bytes));
            moved |= out.end > 0;
        }
        if (moved) raise_port(port_of(guest->domid));

        struct pollfd fds[] = {
            { .fd = guest->wake, .events = POLLIN },
            { .fd = client, .events = (in.at == in.end ? POLLIN : 0) | (out.at < out.end ? POLLOUT : 0) },
        };
        if (poll(fds, 2, -1) < 0 && errno != EINTR) fail("poll");
        if (fds[0].revents) {
            uint64_t count;
            if (read(guest->wake, &count, sizeof(count)) < 0 && errno != EAGAIN) fail("read");
        }
        if (fds[1].revents & POLLOUT) {
            ssize_t count = send(client, out.bytes + out.at, out.end - out.at, MSG_NOSIGNAL);
            if (count < 0) return;
            out.at += count;
        }
        if (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) {
            ssize_t count = in.at == in.end ? recv(client, in.bytes, sizeof(in.bytes), 0) : -1;
            if (count <= 0) return;
            in.at = 0;
            in.end = count;
        }
    }
}

static void *run_guest(void *argument)
{
    struct guest *guest = argument;
    while (!__atomic_load_n(&guest->ended, __ATOMIC_ACQUIRE)) {
        struct pollfd fds[] = { { .fd = guest->wake, .events = POLLIN }, { .fd = guest->listener, .events = POLLIN } };
        if (poll(fds, 2, -1) < 0 && errno != EINTR) fail("poll");
        if (fds[0].revents) {
            uint64_t count;
            if (read(guest->wake, &count, sizeof(count)) < 0 && errno != EAGAIN) fail("read");
        }
        if (!(fds[1].revents & POLLIN)) continue;
        int client = accept4(guest->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) continue;
        serve(guest, client);
        close(client);
    }
    return NULL;
}

static int listen_at(char path[PATH_LENGTH], const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(path, PATH_LENGTH, "%s/%s", run_dir, name);
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0) fail(path);
    return fd;
}

/* The daemon's signals are the daemon's. */
static pthread_t start_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if ((errno = pthread_create(&thread, NULL, run, argument)) != 0) fail("pthread_create");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

static void *map_ring(int domid)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_SHARED, -1, 0);
    if (page == MAP_FAILED) return NULL;
    struct guest *guest = calloc(1, sizeof(*guest));
    char name[32];
    snprintf(name, sizeof(name), "domain-%d", domid);
    guest->domid = domid;
    guest->ring = page;
    guest->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    guest->listener = listen_at(guest->path, name);
    pthread_mutex_lock(&guests_lock);
    guest->next = guests;
    guests = guest;
    pthread_mutex_unlock(&guests_lock);
    guest->thread = start_thread(run_guest, guest);
    return page;
}

static void wake_guest(int domid)
{
    pthread_mutex_lock(&guests_lock);
    for (struct guest *guest = guests; guest; guest = guest->next)
        if (guest->domid == domid) signal_fd(guest->wake);
    pthread_mutex_unlock(&guests_lock);
}

/* The guest of that page ends before the page goes; false where it is no ring. */
static bool end_guest(const void *page)
{
    struct guest *found = NULL;
    pthread_mutex_lock(&guests_lock);
    for (struct guest **at = &guests; *at; at = &(*at)->next)
        if ((*at)->ring == page) {
            found = *at;
            *at = found->next;
            break;
        }
    pthread_mutex_unlock(&guests_lock);
    if (!found) return false;
    __atomic_store_n(&found->ended, true, __ATOMIC_RELEASE);
    signal_fd(found->wake);
    pthread_join(found->thread, NULL);
    unlink(found->path);
    close(found->listener);
    close(found->wake);
    free(found);
    return true;
}

/* --- which domains there are --- */

static bool domain_exists(int domid)
{
    if (domid == 0) return true;
    char path[PATH_LENGTH];
    snprintf(path, sizeof(path), "%s/domains", run_dir);
    FILE *file = fopen(path, "re");
    bool exists = false;
    for (int first, last; file && !exists && fscanf(file, "%d-%d", &first, &last) == 2;) exists = first <= domid && domid <= last;
    if (file) fclose(file);
    return exists;
}

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *output, unsigned flags)
{
    return calloc(1, 65536);
}

int xc_interface_close(xc_interface *xch)
{
    free(xch);
    return 0;
}

/* Both daemons ask for one domain at a time. */
int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned int most, xc_dominfo_t *info)
{
    if (most == 0 || !domain_exists(first)) return 0;
    memset(info, 0, sizeof(*info));
    info->domid = first;
    info->running = 1;
    return 1;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int most, xc_domaininfo_t *info)
{
    if (most == 0 || !domain_exists(first)) return 0;
    memset(info, 0, sizeof(*info));
    info->domain = first;
    info->flags = XEN_DOMINF_running;
    return 1;
}

/* --- rings --- */

void *xc_map_foreign_range(xc_interface *xch, uint32_t domid, int size, int protection, unsigned long frame)
{
    if (domain_exists(domid)) return map_ring(domid);
    errno = ESRCH;
    return NULL;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned flags)
{
    return calloc(1, PAGE);
}

int xengnttab_close(xengnttab_handle *handle)
{
    free(handle);
    return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *handle, uint32_t count)
{
    return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *handle, uint32_t domid, uint32_t reference, int protection)
{
    return xc_map_foreign_range(NULL, domid, PAGE, protection, 0);
}

int xengnttab_unmap(xengnttab_handle *handle, void *address, uint32_t count)
{
    return munmap(address, (size_t)count * PAGE);
}

int munmap(void *address, size_t length)
{
    static int (*real)(void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "munmap");
    if (run_dir && length == PAGE) end_guest(address);
    return real(address, length);
}

/* --- event channels as the daemons see them --- */

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned flags)
{
    ports.fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
    return calloc(1, PAGE);
}

int xenevtchn_close(xenevtchn_handle *handle)
{
    free(handle);
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *handle)
{
    return ports.fd;
}

int xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
    if (port > 0 && port < PORTS && ports.domid[port] > 0) wake_guest(ports.domid[port]);
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domid, evtchn_port_t remote)
{
    return bind_port(domid);
}

static int virq_port;

static void *run_virq(void *listener)
{
    for (;;) {
        int client = accept4((intptr_t)listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) continue;
        raise_port(virq_port);
        close(client);
    }
    return NULL;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *handle, unsigned int virq)
{
    char path[PATH_LENGTH];
    virq_port = bind_port(-1);
    start_thread(run_virq, (void *)(intptr_t)listen_at(path, "virq"));
    return virq_port;
}

int xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port)
{
    pthread_mutex_lock(&ports.lock);
    if (port < PORTS) ports.domid[port] = -1;
    pthread_mutex_unlock(&ports.lock);
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *handle)
{
    uint64_t one;
    int found = -1;
    if (read(ports.fd, &one, sizeof(one)) < 0) return -1;
    pthread_mutex_lock(&ports.lock);
    for (int port = 1; port < ports.next && found < 0; port++)
        if (ports.pending[port]) found = port;
    if (found > 0) ports.pending[found] = false;
    pthread_mutex_unlock(&ports.lock);
    return found;
}

int xenevtchn_unmask(xenevtchn_handle *handle, evtchn_port_t port)
{
    return 0;
}

/* --- files --- */

static const char *const elsewhere[] = {
    "/var/run/xenstored/", "/run/xenstored/", "/var/run/xen/", "/run/xen/", "/var/log/xen/", "/var/lib/xenstored/",
};

/* The path, or where it is for this daemon. */
static const char *redirect(const char *path, char buffer[PATH_LENGTH])
{
    for (size_t i = 0; run_dir && i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
        size_t length = strlen(elsewhere[i]);
        if (strncmp(path, elsewhere[i], length) != 0) continue;
        snprintf(buffer, PATH_LENGTH, "%s/%s", run_dir, path + length);
        return buffer;
    }
    return path;
}

static int memory_file(const char *name, size_t size, const char *text)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, size) < 0 || pwrite(fd, text, strlen(text), 0) < 0) fail(name);
    return fd;
}

#undef open
#undef open64
#define OPENER(name)                                                                     \
    int name(const char *path, int flags, ...)                                           \
    {                                                                                    \
        static int (*real)(const char *, int, ...);                                      \
        char buffer[PATH_LENGTH];                                                        \
        mode_t mode = 0;                                                                 \
        va_list arguments;                                                               \
        va_start(arguments, flags);                                                      \
        if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(arguments, int);                \
        va_end(arguments);                                                               \
        if (!real) real = dlsym(RTLD_NEXT, #name);                                       \
        if (strcmp(path, "/proc/xen/xsd_kva") == 0) return memory_file("kva", PAGE, ""); \
        if (strcmp(path, "/proc/xen/xsd_port") == 0) return memory_file("port", 1, "1"); \
        return real(redirect(path, buffer), flags, mode);                                \
    }
OPENER(open)
OPENER(open64)

int unlink(const char *path)
{
    static int (*real)(const char *);
    char buffer[PATH_LENGTH];
    if (!real) real = dlsym(RTLD_NEXT, "unlink");
    return real(redirect(path, buffer));
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    static int (*real)(int, const struct sockaddr *, socklen_t);
    struct sockaddr_un redirected = { .sun_family = AF_UNIX };
    char buffer[PATH_LENGTH];
    if (!real) real = dlsym(RTLD_NEXT, "bind");
    if (address->sa_family != AF_UNIX) return real(fd, address, length);
    const char *path = redirect(((const struct sockaddr_un *)address)->sun_path, buffer);
    if (strlen(path) >= sizeof(redirected.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(redirected.sun_path, path);
    return real(fd, (struct sockaddr *)&redirected, sizeof(redirected));
}

/* Directories of the machine's are neither made nor looked for. */
int mkdir(const char *path, mode_t mode)
{
    static int (*real)(const char *, mode_t);
    if (!real) real = dlsym(RTLD_NEXT, "mkdir");
    if (strncmp(path, "/var", 4) != 0 && strncmp(path, "/run", 4) != 0) return real(path, mode);
    errno = EEXIST;
    return -1;
}

/* As many open files as both want is more than some machines allow; the tests need few. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    return 0;
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    return 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *parent = getenv("XENLIGHT_PARENT");
    run_dir = getenv("XENLIGHT_RUNDIR");
    if (!run_dir || !parent) fail("XENLIGHT_RUNDIR, XENLIGHT_PARENT");
    for (int port = 0; port < PORTS; port++) ports.domid[port] = -1;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail("prctl");
    if (getppid() != atoi(parent)) _exit(70);
}
