from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from translate.reports.rich_blocks import Block, TextBlock, to_blocks


def test_tables_and_lines_keep_their_words_and_order():
    table = Table()
    table.add_column("pictures")
    table.add_column("kernel\ndistance,\nEfficientNet-\nLite0", justify="right")
    table.add_column("in-\nvented")
    table.add_row(Text("a[b]"), style="bold")
    table.add_row(Padding(Text("[red]"), (0, 0, 0, 2)), "1 ± 2", "-")
    block, first, second = to_blocks(Group(table, "", Text("one\ntwo")))
    assert isinstance(block, Block) and block.titles == {0}
    assert [cell.text for cell in block.header] == ["pictures", "kernel distance, EfficientNet-Lite0", "invented"]
    assert [[cell.text for cell in row] for row in block.rows] == [["a[b]", "", ""], ["[red]", "1 ± 2", "-"]]
    assert [cell.right for cell in block.header] == [False, True, False]
    assert (first, second) == (TextBlock("one"), TextBlock("two"))
