// SPDX-License-Identifier: MIT
/* The disk: reads the picture from an NVMe drive into buffer A. */
#include <errno.h>
#include <stdio.h>
#include <linux/peerbuf_nvme.h>

#include "journey.h"

static void find_namespace(int socket, int nvme, struct peerbuf_nvme_info *info)
{
	int err;

	*info = (struct peerbuf_nvme_info) { .size = sizeof(*info) };
	err = call(nvme, PEERBUF_NVME_IOC_INFO, info);
	if (!err && (LENGTH % info->block_size || LENGTH / info->block_size > info->blocks))
		err = -ENOSPC;
	if (err)
		give_up(socket, err, "the drive has no namespace for the picture");
}

static __u32 import(int socket, int nvme, int buffer)
{
	struct peerbuf_nvme_import arg = {
		.size = sizeof(arg),
		.fd = buffer,
		.direction = PEERBUF_NVME_FROM_DRIVE,
	};
	int err = call(nvme, PEERBUF_NVME_IOC_IMPORT, &arg);

	if (err)
		give_up(socket, err, "the drive does not take buffer A");
	return arg.handle;
}

void play_disk(int socket)
{
	int nvme = take(socket), owner = take(socket), buffer = take(owner), err;
	struct report report = { .bytes = LENGTH };
	struct peerbuf_nvme_info info;
	struct peerbuf_nvme_io io = { .size = sizeof(io), .opcode = PEERBUF_NVME_READ };

	find_namespace(socket, nvme, &info);
	io.handle = import(socket, nvme, buffer);
	io.nsid = info.nsid;
	io.blocks = LENGTH / info.block_size;
	tell(socket, &report);

	wait_for_go(socket);
	err = call(nvme, PEERBUF_NVME_IOC_IO, &io);
	if (err)
		give_up(socket, err, "the drive did not read");
	snprintf(report.text, sizeof(report.text),
		 "%u blocks of %u bytes, %u bytes a command at most", io.blocks,
		 info.block_size, info.max_transfer);
	tell(socket, &report);
	wait_for_go(socket);
}
