// Restores the active image with untaught, in ImageJ and Fiji: saves it as TIFF, calls the command, opens the result.
// Put the path of the command here if it is not found: "/home/me/.venv/bin/untaught", "C:\\venv\\Scripts\\untaught.exe"
command = "untaught";

options = getArgument(); // of runMacro: task, effort and noise with semicolons between them; asked for where there are none
if (options == "") {
    Dialog.create("untaught");
    Dialog.addChoice("Task", newArray("denoise", "demosaic"), "denoise");
    Dialog.addChoice("Effort", newArray("quick", "normal", "best"), "normal");
    Dialog.addString("Noise", "auto");
    Dialog.show();
    options = Dialog.getChoice() + ";" + Dialog.getChoice() + ";" + Dialog.getString();
}
asked = split(options, ";");

title = getTitle();
folder = getDirectory("temp") + "untaught-" + d2s(getTime(), 0) + File.separator;
File.makeDirectory(folder);
before = folder + "before.tif";
after = folder + "after.tif";

setBatchMode(true);
run("Duplicate...", "title=before duplicate"); // saving would give the image itself another name
saveAs("Tiff", before);
close();
setBatchMode(false);

showStatus("untaught " + asked[0] + " ...");
if (startsWith(getInfo("os.name"), "Windows"))
    said = exec(command, asked[0], before, "-o", after, "--effort", asked[1], "--noise", asked[2]);
else // by way of a shell, so that what it refuses is said, too
    said = exec("sh", "-c", "\"$0\" \"$@\" 2>&1", command,
                asked[0], before, "-o", after, "--effort", asked[1], "--noise", asked[2]);
print(title + "\n" + said);

made = File.exists(after);
if (made) {
    open(after);
    rename(title + " restored");
    ok = File.delete(after);
}
ok = File.delete(before);
ok = File.delete(folder);
if (!made)
    exit("untaught made no result; what it said is in the Log window.");
