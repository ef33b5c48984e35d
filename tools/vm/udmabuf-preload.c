// SPDX-License-Identifier: MIT
/*
 * What QEMU's virtio-gpu wants of /dev/udmabuf, on hosts that have none.
 *
 * With blob=on, virtio-gpu scans a framebuffer out from where it lies: in guest
 * RAM, or in the BAR of another device. QEMU has that memory in pieces of its
 * memfds, and asks /dev/udmabuf for one dma-buf of the pieces, for no other
 * purpose than to mmap() it as one. Many hosts lack the device, containers most
 * of all. A process can do the same for itself: reserve addresses and map the
 * pieces side by side. So this library, preloaded into QEMU,
 *
 *  - opens the host's own /dev/udmabuf if it works, else an empty memfd;
 *  - answers UDMABUF_CREATE_LIST on that memfd with another one, which stands
 *    for the list, and mmap() of it by mapping the pieces. No byte is copied.
 *
 * System calls are made directly: the C library's functions are the ones that
 * are replaced here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICE	"/dev/udmabuf"
#define PUBLIC	__attribute__((visibility("default")))

/* One that QEMU has open: the device, or the dma-buf made of a list */
struct buffer {
	struct buffer *next;
	int fd;
	int real;			/* the host's, so the host maps it */
	unsigned int count;		/* 0: the device */
	struct udmabuf_create_item items[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct buffer *buffers;

static void *map(void *start, size_t length, int prot, int flags, int fd,
		 off_t offset)
{
	return (void *)syscall(SYS_mmap, start, length, prot, flags, fd, offset);
}

static struct buffer *find(int fd)
{
	struct buffer *buffer;

	for (buffer = buffers; buffer && buffer->fd != fd; buffer = buffer->next)
		;
	return buffer;
}

/* Takes over @fd; returns it, or -1. */
static int add(int fd, int real, const struct udmabuf_create_list *list)
{
	unsigned int count = list ? list->count : 0;
	struct buffer *buffer;

	if (fd < 0)
		return -1;
	buffer = malloc(sizeof(*buffer) + count * sizeof(*buffer->items));
	if (!buffer) {
		syscall(SYS_close, fd);
		errno = ENOMEM;
		return -1;
	}
	buffer->fd = fd;
	buffer->real = real;
	buffer->count = count;
	if (list)
		memcpy(buffer->items, list->list, count * sizeof(*list->list));
	buffer->next = buffers;
	buffers = buffer;
	return fd;
}

/* That the device can be opened does not mean that it gives anything. */
static int works(int device)
{
	struct udmabuf_create page = {
		.memfd = syscall(SYS_memfd_create, "probe", MFD_ALLOW_SEALING),
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = 4096,
	};
	int dmabuf = -1;

	if (!ftruncate(page.memfd, page.size) &&
	    !fcntl(page.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		dmabuf = syscall(SYS_ioctl, device, UDMABUF_CREATE, &page);
	syscall(SYS_close, page.memfd);
	if (dmabuf < 0)
		return 0;
	syscall(SYS_close, dmabuf);
	return 1;
}

static int open_device(int flags)
{
	int fd = syscall(SYS_openat, AT_FDCWD, DEVICE, flags);
	int real = fd >= 0 && works(fd);

	if (!real) {
		if (fd >= 0)
			syscall(SYS_close, fd);
		fd = syscall(SYS_memfd_create, "udmabuf", MFD_CLOEXEC);
	}
	pthread_mutex_lock(&lock);
	fd = add(fd, real, NULL);
	pthread_mutex_unlock(&lock);
	return fd;
}

PUBLIC int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (!strcmp(path, DEVICE))
		return open_device(flags);
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* The memfds of the list are QEMU's RAM, which stays open. */
static int create(const struct buffer *device,
		  const struct udmabuf_create_list *list)
{
	int fd = device->real ?
			 syscall(SYS_ioctl, device->fd, UDMABUF_CREATE_LIST, list) :
			 syscall(SYS_memfd_create, "list", MFD_CLOEXEC);

	return add(fd, device->real, list);
}

PUBLIC int ioctl(int fd, unsigned long request, ...)
{
	const struct buffer *device;
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if ((unsigned int)request != (unsigned int)UDMABUF_CREATE_LIST)
		return syscall(SYS_ioctl, fd, request, arg);

	pthread_mutex_lock(&lock);
	device = find(fd);
	ret = device ? create(device, arg) :
		       syscall(SYS_ioctl, fd, request, arg);
	pthread_mutex_unlock(&lock);
	return ret;
}

PUBLIC int close(int fd)
{
	struct buffer **link, *buffer;

	pthread_mutex_lock(&lock);
	for (link = &buffers; *link && (*link)->fd != fd; link = &(*link)->next)
		;
	buffer = *link;
	if (buffer)
		*link = buffer->next;
	pthread_mutex_unlock(&lock);
	free(buffer);
	return syscall(SYS_close, fd);
}

/* The pieces side by side, over addresses that are reserved already */
static int map_pieces(const struct buffer *buffer, char *start, size_t length,
		      int prot)
{
	const struct udmabuf_create_item *item = buffer->items;
	size_t done = 0;

	for (; item < buffer->items + buffer->count; done += item++->size) {
		if (item->size > length - done ||
		    map(start + done, item->size, prot, MAP_SHARED | MAP_FIXED,
			item->memfd, item->offset) == MAP_FAILED)
			return -1;
	}
	return done == length ? 0 : -1;
}

static void *map_buffer(const struct buffer *buffer, size_t length, int prot)
{
	void *start;

	if (buffer->real)
		return map(NULL, length, prot, MAP_SHARED, buffer->fd, 0);
	start = map(NULL, length, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start != MAP_FAILED && map_pieces(buffer, start, length, prot)) {
		syscall(SYS_munmap, start, length);
		errno = EINVAL;
		return MAP_FAILED;
	}
	return start;
}

PUBLIC void *mmap64(void *start, size_t length, int prot, int flags, int fd,
		    off64_t offset)
{
	const struct buffer *buffer = NULL;
	void *result = NULL;

	if (fd >= 0) {
		pthread_mutex_lock(&lock);
		buffer = find(fd);
		if (buffer)
			result = map_buffer(buffer, length, prot);
		pthread_mutex_unlock(&lock);
	}
	return buffer ? result : map(start, length, prot, flags, fd, offset);
}
