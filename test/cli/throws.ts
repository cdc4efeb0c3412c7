throw new Error("no disk, no fun");
