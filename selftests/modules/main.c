// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf_test: the character device and its dispatch table. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "test.h"

/* Room for the largest argument; test_ioctl() checks it. */
union test_arg {
	struct peerbuf_test_attach attach;
	struct peerbuf_test_map_info map_info;
	struct peerbuf_test_access access;
	struct peerbuf_test_oracle oracle;
	struct peerbuf_test_page page;
	struct peerbuf_test_bind bind;
	struct peerbuf_test_bound bound;
	struct peerbuf_test_wait wait;
};

struct test_call {
	unsigned int cmd;
	int (*run)(struct test_file *file, void *arg);
};

static const struct test_call test_calls[] = {
	{ PEERBUF_TEST_ATTACH, test_attach },
	{ PEERBUF_TEST_DETACH, test_detach },
	{ PEERBUF_TEST_MAP, test_map },
	{ PEERBUF_TEST_UNMAP, test_unmap },
	{ PEERBUF_TEST_PIN, test_pin },
	{ PEERBUF_TEST_UNPIN, test_unpin },
	{ PEERBUF_TEST_MAP_INFO, test_map_info },
	{ PEERBUF_TEST_VMAP, test_vmap },
	{ PEERBUF_TEST_VUNMAP, test_vunmap },
	{ PEERBUF_TEST_ACCESS, test_access },
	{ PEERBUF_TEST_ORACLE, test_oracle },
	{ PEERBUF_TEST_PAGE, test_page },
	{ PEERBUF_TEST_BIND, test_bind },
	{ PEERBUF_TEST_UNBIND, test_unbind },
	{ PEERBUF_TEST_BOUND, test_bound },
	{ PEERBUF_TEST_WAIT, test_wait },
	{ PEERBUF_TEST_FENCE, test_fence },
	{ PEERBUF_TEST_PIECES, test_pieces },
	{ PEERBUF_TEST_FORWARD, test_forward },
	{ PEERBUF_TEST_STRAY, test_stray },
};

/**
 * test_get_function() - look up a PCI function
 * @function: its address
 *
 * Return: the device with a reference for the caller, or NULL.
 */
struct pci_dev *test_get_function(const struct peerbuf_function *function)
{
	return pci_get_domain_bus_and_slot(function->domain, function->bus,
					   function->devfn);
}

static int test_open(struct inode *inode, struct file *filp)
{
	struct test_file *file = kzalloc_obj(*file);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	xa_init_flags(&file->imports, XA_FLAGS_ALLOC1);
	xa_init_flags(&file->vmaps, XA_FLAGS_ALLOC1);
	xa_init_flags(&file->binds, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return 0;
}

static int test_release(struct inode *inode, struct file *filp)
{
	struct test_file *file = filp->private_data;

	test_forward_release(file);
	test_vmaps_release(file);
	test_imports_release(file);
	test_binds_release(file);
	mutex_destroy(&file->lock);
	kfree(file);
	return 0;
}

static int test_run(struct test_file *file, const struct test_call *call,
		    void __user *user)
{
	size_t size = _IOC_SIZE(call->cmd);
	union test_arg arg = {};
	int ret;

	if (WARN_ON_ONCE(size > sizeof(arg)))
		return -EINVAL;
	if (copy_from_user(&arg, user, size))
		return -EFAULT;

	mutex_lock(&file->lock);
	ret = call->run(file, &arg);
	mutex_unlock(&file->lock);

	if (!ret && (_IOC_DIR(call->cmd) & _IOC_READ) &&
	    copy_to_user(user, &arg, size))
		ret = -EFAULT;
	return ret;
}

static long test_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(test_calls); i++) {
		if (test_calls[i].cmd == cmd)
			return test_run(filp->private_data, &test_calls[i],
					(void __user *)arg);
	}
	return -ENOTTY;
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.open = test_open,
	.release = test_release,
	.unlocked_ioctl = test_ioctl,
	.mmap = test_mmap,
};

static struct miscdevice test_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "peerbuf_test",
	.fops = &test_fops,
	.mode = 0600,
};
module_misc_device(test_device);

MODULE_DESCRIPTION("Instruments for the peerbuf selftests");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
