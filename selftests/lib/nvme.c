// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of peerbuf_nvme, and the parameters of the module. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "peerbuf_lib.h"

/* pb_open_nvme() - Return: a descriptor or a negative errno. */
int pb_open_nvme(const struct pb_device *drive, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/peerbuf/nvme-%s", drive->name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* pb_nvme_import() - PEERBUF_NVME_IOC_IMPORT. Return: 0 or a negative errno. */
int pb_nvme_import(int nvme, int dmabuf, unsigned int direction,
		   unsigned int *handle)
{
	struct peerbuf_nvme_import arg = {
		.size = sizeof(arg),
		.fd = dmabuf,
		.direction = direction,
	};
	int ret = pb_ioctl(nvme, PEERBUF_NVME_IOC_IMPORT, &arg);

	*handle = arg.handle;
	return ret;
}

/* pb_nvme_release() - PEERBUF_NVME_IOC_RELEASE. Return: 0 or negative errno. */
int pb_nvme_release(int nvme, unsigned int handle)
{
	struct peerbuf_nvme_release arg = {
		.size = sizeof(arg),
		.handle = handle,
	};

	return pb_ioctl(nvme, PEERBUF_NVME_IOC_RELEASE, &arg);
}

/* pb_nvme_info() - PEERBUF_NVME_IOC_INFO. Return: 0 or a negative errno. */
int pb_nvme_info(int nvme, unsigned int nsid, struct peerbuf_nvme_info *info)
{
	*info = (struct peerbuf_nvme_info){
		.size = sizeof(*info),
		.nsid = nsid,
	};
	return pb_ioctl(nvme, PEERBUF_NVME_IOC_INFO, info);
}

/**
 * pb_nvme_io() - PEERBUF_NVME_IOC_IO
 * @nvme: the node
 * @opcode: &enum peerbuf_nvme_opcode
 * @nsid: namespace
 * @handle: of the import
 * @offset: in the dma-buf
 * @lba: first block
 * @blocks: their number
 *
 * Return: 0 or a negative errno.
 */
int pb_nvme_io(int nvme, unsigned int opcode, unsigned int nsid,
	       unsigned int handle, __u64 offset, __u64 lba, unsigned int blocks)
{
	struct peerbuf_nvme_io arg = {
		.size = sizeof(arg),
		.opcode = opcode,
		.nsid = nsid,
		.handle = handle,
		.blocks = blocks,
		.lba = lba,
		.offset = offset,
	};

	return pb_ioctl(nvme, PEERBUF_NVME_IOC_IO, &arg);
}

/* pb_nvme_reset() - PEERBUF_NVME_IOC_RESET. Return: 0 or a negative errno. */
int pb_nvme_reset(int nvme)
{
	struct peerbuf_nvme_reset arg = { .size = sizeof(arg) };

	return pb_ioctl(nvme, PEERBUF_NVME_IOC_RESET, &arg);
}

/* pb_nvme_parameter() - of the module. Return: 0 or a negative errno. */
int pb_nvme_parameter(const char *name, unsigned int value)
{
	char path[96], text[16];

	snprintf(path, sizeof(path),
		 "/sys/module/peerbuf_nvme/parameters/%s", name);
	snprintf(text, sizeof(text), "%u", value);
	return pb_write_file(path, text);
}
