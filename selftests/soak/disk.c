// SPDX-License-Identifier: GPL-2.0-only
/* The drive: regions are written from buffers, and read into buffers. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "soak.h"

#define NAMESPACE	1U
#define BLOCK		512U
#define BLOCKS		((unsigned int)(BUFFER_SIZE / BLOCK))

/* Waits for the driver to come back. */
static int open_drive(struct soak *soak, const struct pb_device *drive,
		      unsigned long *opened)
{
	int nvme;

	while (!atomic_load(&soak->stop)) {
		*opened = atomic_load(&soak->disturbances);
		nvme = pb_open_nvme(drive, O_RDWR);
		if (nvme >= 0)
			return nvme;
		pb_sleep_ms(10);
	}
	return -1;
}

static int transfer(int nvme, struct place *buffer, unsigned int region,
		    bool write)
{
	unsigned int handle;
	int ret;

	ret = pb_nvme_import(nvme, buffer->dmabuf, PEERBUF_NVME_BOTH, &handle);
	if (ret)
		return ret;
	ret = pb_nvme_io(nvme, write ? PEERBUF_NVME_WRITE : PEERBUF_NVME_READ,
			 NAMESPACE, handle, 0, (__u64)region * BLOCKS, BLOCKS);
	pb_nvme_release(nvme, handle);
	return ret;
}

static int work(struct soak *soak, int nvme, unsigned long opened,
		unsigned int *seed)
{
	unsigned long before = atomic_load(&soak->disturbances);
	struct place *buffer, *region, *to;
	bool write = soak_random(seed, 2);
	int ret;

	buffer = soak_take(soak->buffers, NR_BUFFERS, seed);
	if (!buffer)
		return 0;
	region = soak_take(soak->regions, NR_REGIONS, seed);
	if (!region) {
		soak_give(buffer);
		return 0;
	}
	to = write ? region : buffer;
	ret = transfer(nvme, buffer, region - soak->regions, write);
	if (!ret) {
		soak_copied(to, write ? buffer : region);
		soak_done(soak, write ? DISK_WRITES : DISK_READS);
	} else {
		to->content = UNKNOWN;
		if (!soak_may_fail(soak, before, opened, ret))
			soak_fault(soak, "the drive: error %d", ret);
	}
	soak_give(region);
	soak_give(buffer);
	return ret;
}

/**
 * soak_disk() - thread: write and read
 * @arg: the soak
 *
 * Return: NULL.
 */
void *soak_disk(void *arg)
{
	static atomic_uint threads;
	unsigned int seed = 1000 + atomic_fetch_add(&threads, 1);
	struct soak *soak = arg;
	struct pb_device drive;
	unsigned long opened;
	int nvme;

	if (!pb_find(PB_NVME, &drive, 1))
		fail("this machine has no NVMe drive");
	while ((nvme = open_drive(soak, &drive, &opened)) >= 0) {
		while (!atomic_load(&soak->stop))
			if (work(soak, nvme, opened, &seed) == -ENODEV)
				break;
		close(nvme);
	}
	return NULL;
}
