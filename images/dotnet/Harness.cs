using System;
using System.Runtime.InteropServices;
using Python.Runtime;

namespace Kit.Workload
{
    /// <summary>
    /// The Python module that both workload programs share, so that a hash differs
    /// only when the hashed thing differs. Only calls that pythonnet 2.5 and 3.0
    /// both have: it is compiled against either.
    /// </summary>
    internal sealed class Harness
    {
        private readonly PyObject module = Py.Import("harness");

        public void StageData(string dataset)
        {
            using var name = new PyString(dataset);
            if (!module.GetAttr("FOLDERS").InvokeMethod("__contains__", name).IsTrue())
            {
                throw new SpecException("workload.dataset", $"this image does not hold '{dataset}'");
            }

            module.InvokeMethod("stage_data", name);
        }

        public void MakeDeterministic(int seed) => module.InvokeMethod("make_deterministic", new PyInt(seed));

        public void RequireDevice(string variant) => module.InvokeMethod("require_device", new PyString(variant));

        public void WatchPlacement() => module.InvokeMethod("watch_placement");

        public void WatchFit() => module.InvokeMethod("watch_fit");

        public long InnerNanoseconds() => module.InvokeMethod("inner_ns").As<long>();

        public string DeviceJson(PyObject model, bool deep) =>
            module.InvokeMethod("device_json", model, new PyInt(deep ? 1 : 0)).As<string>();

        public string CgroupJson() => module.InvokeMethod("cgroup_json").As<string>();

        public string BuildAndHashWeights(PyObject model, PyObject images) =>
            module.InvokeMethod("build_and_hash_weights", model, images).As<string>();

        public string IdentityJson(
            string dataset, PyObject images, PyObject labels, PyObject model, string initialWeights, bool deep) =>
            module.InvokeMethod(
                "identity_json",
                new PyString(dataset),
                images,
                labels,
                model,
                new PyString(initialWeights),
                new PyInt(deep ? 1 : 0)).As<string>();

        public string VersionsJson(string binding) =>
            module.InvokeMethod(
                "versions_json",
                new PyString(RuntimeInformation.FrameworkDescription),
                new PyString(binding)).As<string>();

        /// <summary>By Python's hashlib: .NET's own SHA-256 wants an OpenSSL that the image does not have.</summary>
        public static string Sha256OfVariable(string variable)
        {
            PyObject os = Py.Import("os");
            PyObject text = os.GetAttr("environ").GetItem(variable);
            PyObject bytes = os.InvokeMethod("fsencode", text);
            return Py.Import("hashlib").InvokeMethod("sha256", bytes).InvokeMethod("hexdigest").As<string>();
        }

        public static void FlushOutput()
        {
            PyObject sys = Py.Import("sys");
            sys.GetAttr("stdout").InvokeMethod("flush");
            sys.GetAttr("stderr").InvokeMethod("flush");
        }

        public static string NameAndVersion(string name, Type typeOfAssembly) =>
            name + " " + typeOfAssembly.Assembly.GetName().Version!.ToString(3);
    }
}
