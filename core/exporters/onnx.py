"""ONNX: for programs that judge texts without torch."""

from core.schemas.exports import READ, ExportFormat

from ._sizes import of_weights

PLUGIN = ExportFormat(
    key="onnx",
    order=50,
    title="ONNX",
    audience="For a program without torch: web services, phones, C#, Java, JavaScript",
    help="One file that onnxruntime runs, for any number of texts of any length, with a small program that needs nothing else.",
    tolerance=1e-3,
    why="The same numbers in the same precision; only the order of sums may differ.",
    size=of_weights(4),
    families=READ,
    needs=("onnx", "onnxruntime", "onnxscript"),
)
