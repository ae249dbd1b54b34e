// SPDX-License-Identifier: GPL-2.0
/*
 * For the workload `patch`: a module that patches kernel text when it comes and
 * goes, a static key of its own and, on x86, a kprobe. On arm64 all CPUs stop for
 * one of these, whatever they are doing.
 */
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static DEFINE_STATIC_KEY_FALSE(key);

static noinline bool tested(void)
{
	return static_branch_unlikely(&key);
}

static int hit(struct kprobe *p, struct pt_regs *regs)
{
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "vfs_read",
	.pre_handler = hit,
};

static int __init patch_init(void)
{
	static_branch_enable(&key);
	if (!tested())
		return -EINVAL;
	return IS_ENABLED(CONFIG_X86) ? register_kprobe(&probe) : 0;
}

static void __exit patch_exit(void)
{
	if (IS_ENABLED(CONFIG_X86))
		unregister_kprobe(&probe);
	static_branch_disable(&key);
}

module_init(patch_init);
module_exit(patch_exit);
MODULE_DESCRIPTION("A module that patches kernel text when it comes and goes");
MODULE_LICENSE("GPL");
