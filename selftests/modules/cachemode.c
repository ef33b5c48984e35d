// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf_test: the page table entry behind a user address. */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "test.h"

static u32 cache_mode(pgprot_t prot)
{
	if (pgprot_val(pgprot_writecombine(prot)) == pgprot_val(prot))
		return PEERBUF_TEST_WRITE_COMBINED;
	if (pgprot_val(pgprot_noncached(prot)) == pgprot_val(prot))
		return PEERBUF_TEST_UNCACHED;
	return PEERBUF_TEST_CACHED;
}

int test_page(struct test_file *file, void *data)
{
	struct peerbuf_test_page *arg = data;
	struct follow_pfnmap_args args = { .address = arg->address };
	struct mm_struct *mm = current->mm;
	int ret = -EFAULT;

	mmap_read_lock(mm);
	args.vma = vma_lookup(mm, arg->address);
	if (!args.vma)
		goto unlock;
	ret = follow_pfnmap_start(&args);
	if (ret)
		goto unlock;
	arg->phys = (u64)args.pfn << PAGE_SHIFT;
	arg->cache = cache_mode(args.pgprot);
	arg->writable = args.writable;
	follow_pfnmap_end(&args);
unlock:
	mmap_read_unlock(mm);
	return ret;
}
